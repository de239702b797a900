import { z } from "zod";
import { BACKEND_NAMES } from "../backends.ts";
import { proverError } from "../prover-errors.ts";

const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, "is not a whole number")
    .transform(Number)
    .pipe(z.int().min(min).max(max));
const text = z.string().min(1, "is empty");
const ONE_DAY_MS = 86_400_000;

interface Variable {
  readonly env: string;
  readonly schema: z.ZodType;
  /** As it would be written; undefined = has to be given. */
  readonly default?: string;
  readonly isSecret?: true;
  readonly description: string;
}

/** Every setting of the prover's process; docs take their table from here. */
const PROVER_VARIABLES = {
  deploymentPath: {
    env: "DEPLOYMENT_PATH",
    schema: text,
    default: ".openledger/deployment.json",
    description: "the deployment record",
  },
  sequencerUrl: {
    env: "SEQUENCER_URL",
    schema: z.url({ protocol: /^https?$/, error: "is not an http(s) URL" }),
    default: "http://127.0.0.1:8547",
    description: "the sequencer's API",
  },
  operatorToken: {
    env: "OPERATOR_TOKEN",
    schema: text,
    isSecret: true,
    description: "bearer token of the sequencer's /operator routes",
  },
  name: {
    env: "PROVER_NAME",
    schema: text,
    default: "default",
    description: "tells provers apart: each gets batches of its own",
  },
  backend: {
    env: "PROVER_BACKEND",
    schema: z.enum(BACKEND_NAMES),
    default: "wasm",
    description: "what makes the proofs; the process logs and answers which one runs",
  },
  pollIntervalMs: {
    env: "PROVER_POLL_INTERVAL_MS",
    schema: whole(10, ONE_DAY_MS),
    default: "500",
    description: "time between two questions for a job",
  },
  maxBackoffMs: {
    env: "PROVER_MAX_BACKOFF_MS",
    schema: whole(10, ONE_DAY_MS),
    default: "30000",
    description: "longest wait between two tries of what fails",
  },
  checkIntervalMs: {
    env: "PROVER_CHECK_INTERVAL_MS",
    schema: whole(10, ONE_DAY_MS),
    default: "3000",
    description: "how often to ask whether the job in progress is still wanted",
  },
  healthPort: {
    env: "PROVER_HEALTH_PORT",
    schema: whole(0, 65_535).optional(),
    description: "port for GET /health on 127.0.0.1; none where absent",
  },
  logLevel: {
    env: "LOG_LEVEL",
    schema: z.enum(["debug", "info", "warn", "error", "silent"]),
    default: "info",
    description: "least level that is logged",
  },
} as const satisfies Record<string, Variable>;

type Variables = typeof PROVER_VARIABLES;
export type ProveConfig = { readonly [K in keyof Variables]: z.output<Variables[K]["schema"]> };

/** @throws PRV_CONFIG_INVALID naming every variable that is missing or wrong, never the value of a secret one */
export function readProveConfig(env: Readonly<Record<string, string | undefined>>): ProveConfig {
  const config: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, variable] of Object.entries<Variable>(PROVER_VARIABLES)) {
    const { default: fallback, description, env: key, schema } = variable;
    const parsed = schema.safeParse(env[key] ?? fallback);
    if (parsed.success) config[name] = parsed.data;
    else if (env[key] === undefined) problems.push(`${key} is missing: ${description}`);
    else problems.push(`${key} ${parsed.error.issues.map((issue) => issue.message).join(", ")}`);
  }
  if (problems.length > 0) {
    throw proverError(
      "PRV_CONFIG_INVALID",
      `the prover's settings are not usable:\n  ${problems.join("\n  ")}`,
      { data: { problems } },
    );
  }
  return Object.freeze(config) as ProveConfig;
}
