export default function Screen() {
  return <h1>divergence</h1>;
}
