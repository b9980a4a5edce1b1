export function Detail({ id }: { id: string }) { return <h1>{id}</h1>; }
