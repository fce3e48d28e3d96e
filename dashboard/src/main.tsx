// The dashboard. TanStack Query holds the data; the address holds organization, environment and page.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client.ts";
import { makeRouter } from "./router.tsx";
import { applyTheme } from "./shell/theme.ts";
import "./styles.css";

applyTheme();
const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // A refused request would be refused again; an unreachable router may be back in a moment.
      retry: (failures, error) =>
        failures < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
    },
  },
});
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <RouterProvider router={makeRouter(client)} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
