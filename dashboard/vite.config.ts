// Builds the dashboard into static assets that the router serves. No inline script and no inline style: the page's security
// policy (public/_headers) allows neither script.
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Whoever builds it, a test too, builds what is deployed: under another NODE_ENV React comes with its checks, twice as large.
process.env.NODE_ENV = "production";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    target: "es2022",
    // Nothing is inlined: a data: URL would need a wider policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": { target: "http://127.0.0.1:8787", ws: true } } },
});
