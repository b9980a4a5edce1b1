export default function Screen() {
  return <h1>tour</h1>;
}
