// Which rows and columns of a large grid stand in its scrolled window.

export interface Span {
  from: number;
  /** One past the last. */
  to: number;
}

/** The items of equal size that can be seen, with a few more on both sides. */
export function visibleSpan(scrolled: number, seen: number, size: number, count: number, more = 3): Span {
  const from = Math.max(0, Math.floor(scrolled / size) - more);
  return { from, to: Math.min(count, Math.ceil((scrolled + Math.max(seen, size)) / size) + more) };
}

/** Where to scroll so that an item stands fully in the window; unchanged where it does. */
export function scrolledTo(item: number, scrolled: number, seen: number, size: number): number {
  if (item * size < scrolled) return item * size;
  if ((item + 1) * size > scrolled + seen) return (item + 1) * size - seen;
  return scrolled;
}

export function range({ from, to }: Span): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
