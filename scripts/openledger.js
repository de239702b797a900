#!/usr/bin/env node
// The package's executable: Node 20 cannot read TypeScript by itself.
import { register } from "tsx/esm/api";

// What needs no translation comes first: behind the hooks that translate, hundreds of files take three times as long.
await Promise.all([import("commander"), import("viem"), import("viem/accounts"), import("zod")]);
register();
await import("./openledger.ts");
