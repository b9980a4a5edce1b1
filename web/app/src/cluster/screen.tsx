export default function Screen() {
  return <h1>cluster</h1>;
}
