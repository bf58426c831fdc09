// A plane of a value, described by the server and ready to be drawn.
import { client, type PlaneAddress } from "../api/client";
import { RemotePlane } from "./plane";

/** Equal addresses give equal keys: use it as what a resource depends on. */
export function planeKey(trace: string, { name, at, rows, cols }: PlaneAddress): string {
  return JSON.stringify([
    trace,
    name,
    at.map((position, axis) => (axis === rows || axis === cols ? 0 : position)),
    rows,
    cols,
  ]);
}

export async function loadPlane(key: string, signal?: AbortSignal): Promise<RemotePlane> {
  const [trace, name, at, rows, cols] = JSON.parse(key) as [string, string, number[], number, number];
  const address = { name, at, rows, cols };
  return new RemotePlane(client, trace, address, await client.plane(trace, address, signal));
}
