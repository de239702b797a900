/** What direct models of e-mails register, beside int8 features of exact influence. */
import {
  measureDirect,
  type RegisteredQuality,
} from "@openledger/attribution/internal/research/direct-quality";

const SEED = "direct";

/** @returns one entry for each way to register, of both kinds of inputs */
export function benchEmails({ quick }: { readonly quick: boolean }): { emails: RegisteredQuality[] } {
  const startedAtMs = performance.now();
  const emails = measureDirect({
    ...(quick
      ? { rowCount: 300, queryCount: 40, subsetCount: 12, bucketCount: 256, featureCounts: [64, 256] }
      : {
          rowCount: 2_000,
          queryCount: 200,
          subsetCount: 100,
          bucketCount: 1_024,
          featureCounts: [256, 1_024],
        }),
    bitCounts: [8, 10, 12],
    seed: SEED,
    log: (line) => console.log(`${line} (${((performance.now() - startedAtMs) / 1000).toFixed(0)} s)`),
  });
  for (const { accuracy, inputs, lds, sharesOff, way } of emails) {
    const score =
      lds === null ? "" : `LDS ${lds.value.toFixed(3)} (${lds.low.toFixed(3)} … ${lds.high.toFixed(3)}), `;
    console.log(
      `${inputs.padEnd(7)} ${way.padEnd(22)} ${score}shares off by ${(100 * sharesOff).toFixed(2)} %, accuracy ${accuracy.toFixed(3)}`,
    );
  }
  return { emails };
}
