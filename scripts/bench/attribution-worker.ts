/** One part of `npm run bench -- attribution` in a process of its own, so that both cores work. */
import { FULL_GAMING, QUICK_GAMING, simulateGaming } from "@openledger/attribution/internal/research/gaming";
import { mnistLogisticCase, mnistMlpCase } from "@openledger/attribution/internal/research/mnist-cases";
import { measureQuality } from "@openledger/attribution/internal/research/quality";

const PARTS = ["mnistLogistic", "mnistMlp", "gaming"] as const;
export type Part = (typeof PARTS)[number];

function runPart(part: Part, size: "full" | "quick") {
  const startedAt = performance.now();
  const log = (line: string) =>
    console.log(`${part}: ${line} (${((performance.now() - startedAt) / 1000).toFixed(0)} s)`);
  switch (part) {
    case "mnistLogistic":
      return measureQuality({ ...mnistLogisticCase(size), log });
    case "mnistMlp":
      return measureQuality({ ...mnistMlpCase(size), log });
    case "gaming":
      return simulateGaming({ ...(size === "full" ? FULL_GAMING : QUICK_GAMING), log });
    default:
      return part satisfies never;
  }
}

/** Only where it was forked: an import runs nothing. */
if (process.send !== undefined && process.argv[1]?.endsWith("attribution-worker.ts")) {
  const [part, size] = process.argv.slice(2) as [Part, "full" | "quick"];
  process.send(runPart(part, size));
}
