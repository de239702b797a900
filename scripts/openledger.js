#!/usr/bin/env node
// The package's executable: Node 20 cannot read TypeScript by itself.
import { register } from "tsx/esm/api";

register();
await import("./openledger.ts");
