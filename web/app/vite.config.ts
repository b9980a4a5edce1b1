import { defineConfig } from "vite";
import { budget } from "./budget.ts";

// The node serves the page below /ui/, so all addresses are relative to it.
export default defineConfig({
  base: "./",
  clearScreen: false,
  publicDir: false, // sign.svg is in web/static, which is always embedded
  build: {
    outDir: "../dist",
    emptyOutDir: false, // the folder keeps a .gitignore of its own; scripts/web.sh empties it
    target: "es2023",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the policy of the page allows no data: but images
    chunkSizeWarningLimit: 160,
  },
  plugins: [budget()],
});
