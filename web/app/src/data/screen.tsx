export default function Screen() {
  return <h1>data</h1>;
}
