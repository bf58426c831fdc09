// Small planes of one value that are shown together: described from its shape, without asking for each.
import { client, type PlaneAddress } from "../api/client";
import type { Summary } from "../api/types";
import { TILE } from "../values/slicing";
import { loadPlane, planeKey } from "./load";
import { RemotePlane } from "./plane";

/** Sources for planes of a value whose range is known; planes that need a pyramid are asked for one by one. */
export async function smallPlanes(
  trace: string,
  shape: readonly number[],
  summary: Summary,
  addresses: readonly PlaneAddress[],
  signal?: AbortSignal,
): Promise<RemotePlane[]> {
  return Promise.all(
    addresses.map(async (address) => {
      const num_rows = shape[address.rows]!;
      const num_cols = shape[address.cols]!;
      if (num_rows > TILE || num_cols > TILE) return loadPlane(planeKey(trace, address), signal);
      const { min, max, mean, std, num_nonfinite } = summary;
      return new RemotePlane(client, trace, address, {
        num_rows,
        num_cols,
        num_levels: 1,
        min,
        max,
        mean,
        std,
        num_nonfinite,
      });
    }),
  );
}
