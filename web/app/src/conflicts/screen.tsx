export default function Screen() {
  return <h1>conflicts</h1>;
}
