#!/usr/bin/env node
// The package's executable: Node 20 cannot read TypeScript by itself.
import { start } from "./bundle/start.js";

await start(new URL("./openledger.ts", import.meta.url).href);
