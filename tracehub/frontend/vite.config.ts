import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const api = process.env.TH_API ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  build: {
    // The content security policy allows no data: scripts or styles.
    assetsInlineLimit: 0,
    sourcemap: false,
  },
  server: {
    proxy: {
      "/api": api,
      "/version": api,
      "/ws": { target: api, ws: true },
    },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: "src/testing/setup.ts",
    testTimeout: 20_000,
    restoreMocks: true,
    unstubGlobals: true,
    // One jsdom for all files: making it takes longer than the tests. setup.ts cleans up.
    isolate: false,
    maxWorkers: 1,
  },
});
