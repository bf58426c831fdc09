// jsdom has no canvas and no layout: what draws is tested for what it is asked to draw, not for pixels.
import { vi } from "vitest";

class NoResizeObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}

vi.stubGlobal("ResizeObserver", NoResizeObserver);
vi.stubGlobal("IntersectionObserver", NoResizeObserver);
HTMLCanvasElement.prototype.getContext = () => null;
window.matchMedia ??= ((query: string) => ({
  matches: false,
  media: query,
  addEventListener() {},
  removeEventListener() {},
})) as unknown as typeof window.matchMedia;
