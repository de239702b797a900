/** A server of published models as a process of its own, for tests that kill it: model-server.ts JSON, settings in the environment. */
import { createLogger } from "@openledger/foundation/logger";
import { type PublishedModels, serveModels } from "../serving/serve-models.ts";
import { readServingConfig } from "../serving/serving-config.ts";

const { domain, ...published } = JSON.parse(process.argv[2]!) as Omit<PublishedModels, "domain"> & {
  readonly domain: string;
};
const served = await serveModels(readServingConfig(process.env), {
  logger: createLogger("test", "silent"),
  published: { ...published, domain: BigInt(domain) },
});
process.stdout.write(`${served.url}\n`);
