// The page is one script, one style sheet and a few font files, with relative addresses and fixed names:
// the server sends them from under its token, and the saved page inlines them.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
  base: "./",
  plugins: [svelte(), svelteTesting()],
  build: {
    outDir: "../src/openbook/page/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    target: "es2022",
    rolldownOptions: {
      output: {
        codeSplitting: false,
        entryFileNames: "assets/page.js",
        assetFileNames: (asset) =>
          asset.names.some((name) => name.endsWith(".css")) ? "assets/page.css" : "assets/[name][extname]",
      },
    },
  },
  test: {
    environment: "jsdom",
    // A document for each file would take ten times as long as the tests; they leave none of it behind.
    pool: "threads",
    isolate: false,
    include: ["src/**/*.test.ts"],
    setupFiles: ["src/test/setup.ts"],
  },
});
