// What is asked from the server while a component is shown: asked again when what it depends on changes.

export class Resource<T> {
  /** The last answer; it stays while the next one is under way. */
  value = $state.raw<T | null>(null);
  /** The server's sentence, where it could not answer. */
  error = $state<string | null>(null);
  isLoading = $state(false);
}

/** The sentence of an error, for a person. */
export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Ask for something whenever what `load` reads has changed; call this while a component is made.
 *
 * `load` reads its dependencies before its first await, and returns null where there is nothing to ask. A request that
 * is no longer wanted is aborted.
 */
export function resource<T>(load: (signal: AbortSignal) => Promise<T> | null): Resource<T> {
  const result = new Resource<T>();
  $effect(() => {
    const controller = new AbortController();
    const pending = load(controller.signal);
    result.error = null;
    if (!pending) {
      result.value = null;
      result.isLoading = false;
      return;
    }
    result.isLoading = true;
    pending.then(
      (value) => {
        if (controller.signal.aborted) return;
        result.value = value;
        result.isLoading = false;
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        result.error = sentence(error);
        result.value = null;
        result.isLoading = false;
      },
    );
    return () => controller.abort();
  });
  return result;
}
