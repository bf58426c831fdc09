// Where a key leads inside a grid of cells: the WAI-ARIA keys of role="grid".

export interface Cell {
  row: number;
  col: number;
}

export interface GridSize {
  numRows: number;
  numCols: number;
}

type Key = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">;

/** The cell that a key leads to; null where the key means nothing here. `page` is what PageUp and PageDown skip. */
export function moveBy(event: Key, { row, col }: Cell, { numRows, numCols }: GridSize, page: number): Cell | null {
  if (event.altKey) return null;
  const isFar = event.ctrlKey || event.metaKey;
  const to = target();
  if (!to) return null;
  return { row: clamp(to.row, numRows), col: clamp(to.col, numCols) };

  function target(): Cell | null {
    switch (event.key) {
      case "ArrowUp":
        return { row: isFar ? 0 : row - 1, col };
      case "ArrowDown":
        return { row: isFar ? numRows - 1 : row + 1, col };
      case "ArrowLeft":
        return { row, col: isFar ? 0 : col - 1 };
      case "ArrowRight":
        return { row, col: isFar ? numCols - 1 : col + 1 };
      case "Home":
        return { row: isFar ? 0 : row, col: 0 };
      case "End":
        return { row: isFar ? numRows - 1 : row, col: numCols - 1 };
      case "PageUp":
        return { row: row - page, col };
      case "PageDown":
        return { row: row + page, col };
      default:
        return null;
    }
  }
}

function clamp(position: number, size: number): number {
  return Math.max(0, Math.min(size - 1, position));
}
