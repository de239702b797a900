/**
 * Starts a ModelFactory: `tsx models/factory/main.ts`, settings from the environment (factory-config.ts).
 * Logs "factory listens" with the URL once it does; SIGTERM or SIGINT stops it cleanly.
 */

import { runUntilStopped } from "@openledger/foundation/run-until-stopped";
import { readFactoryConfig } from "./factory-config.ts";
import { startFactory } from "./start-factory.ts";

await runUntilStopped({
  name: "factory",
  readConfig: () => readFactoryConfig(process.env),
  create: startFactory,
});
