export default function Screen() {
  return <h1>chaos</h1>;
}
