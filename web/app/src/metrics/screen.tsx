export default function Screen() {
  return <h1>metrics</h1>;
}
