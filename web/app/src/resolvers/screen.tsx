export default function Screen() {
  return <h1>resolvers</h1>;
}
