/** What the HTTP application is given. */
import type { Deployment } from "../circuits/deployment.ts";
import type { Secret } from "../circuits/secret.ts";
import type { Feed } from "./feed.ts";
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import type { Sequencer } from "./sequencer.ts";

/** A signed operation is about 2 KB. */
export const MAX_BODY_BYTES = 64 * 1024;
/** The operator's own processes send queue entries by the hundred. */
export const MAX_OPERATOR_BODY_BYTES = 1024 * 1024;

export interface ApiOptions {
  readonly deployment: Deployment;
  readonly receiptSigner: string;
  readonly l1Confirmations: number;
  readonly operatorToken: Secret<string>;
  readonly rateLimitPerMinute: number;
}

export interface ApiModules {
  readonly sequencer: Sequencer;
  readonly feed: Feed;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: () => number;
}
