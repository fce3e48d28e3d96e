// Paths in this repository.
import { fileURLToPath } from "node:url";

/** The repository, with a trailing slash. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Reproducible files: the bundled script and an empty database. Shared by all data directories. */
export const CACHE = `${ROOT}node_modules/.cache/switchyard/`;
