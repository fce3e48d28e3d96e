// Builds the dashboard into static assets that the router serves. No inline script and no inline style: the page's security
// policy (public/_headers) allows neither script.
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Every build, also for a test, is the deployed one: under another NODE_ENV React includes its checks and is twice as
// large.
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
