// Steps of the walk "where does this come from?".
import type { Place, Subject } from "./address";

/** The place after asking for an operand: the present subject joins the way that led there. */
export function askFor(operand: Subject, from: Subject, walk: readonly Subject[]): Partial<Place> {
  return {
    view: "values",
    value: operand.name,
    index: [...operand.index],
    rows: null,
    cols: null,
    picture: null,
    walk: [...walk, from],
  };
}

/** The place after going back to a step of the walk. */
export function backTo(step: number, walk: readonly Subject[]): Partial<Place> {
  const { name, index } = walk[step]!;
  return { value: name, index, rows: null, cols: null, picture: null, walk: walk.slice(0, step) };
}
