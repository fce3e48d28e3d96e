// Live updates: a socket on the displayed environment. A frame says only that something has changed, and the pages
// query again. Without an open socket, the pages poll every few seconds.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { path } from "./api/client.ts";
import { environmentKey, type Place } from "./api/queries.ts";

const RECONNECT_MS = [500, 1_000, 2_000, 5_000, 15_000];
const POLLED_MS = 5_000;

type Listener = () => void;
const listeners = new Set<Listener>();

/** Calls `listener` when something has changed in the displayed environment. */
export function useHints(listener: Listener): void {
  useEffect(() => {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, [listener]);
}

/** Opens the socket for the shell. Returns true while updates come through it. */
export function useLive({ org, env }: Place): boolean {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  useEffect(() => {
    let socket: WebSocket | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let ended = false;
    const changed = () => {
      void client.invalidateQueries({ queryKey: environmentKey({ org, env }) });
      void client.invalidateQueries({ queryKey: ["deliveries", org] });
      for (const listener of listeners) listener();
    };
    const connect = () => {
      const address = new URL(path("/organizations/{}/environments/{}/watch", org, env), location.href);
      address.protocol = address.protocol.replace("http", "ws");
      socket = new WebSocket(address);
      socket.onopen = () => {
        failures = 0;
        setOpen(true);
        // Changes may have happened while the socket was closed.
        changed();
      };
      socket.onmessage = changed;
      socket.onclose = () => {
        setOpen(false);
        if (ended) return;
        timer = setTimeout(connect, RECONNECT_MS[Math.min(failures, RECONNECT_MS.length - 1)]);
        failures += 1;
      };
    };
    connect();
    const poll = setInterval(() => {
      if (socket?.readyState !== WebSocket.OPEN && document.visibilityState === "visible") changed();
    }, POLLED_MS);
    return () => {
      ended = true;
      clearTimeout(timer);
      clearInterval(poll);
      socket?.close();
    };
  }, [client, org, env]);
  return open;
}
