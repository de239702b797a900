/** The worker that tunes an adapter; it starts further workers for rows. Nothing that it is given leaves this machine. */
import "../no-eval.ts";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { urlSource } from "@openledger/models/files/url-source";
import { TuningPaused } from "@openledger/models/training/tune-adapter";
import type { TuneOrder, TuneReport } from "./tune-messages.ts";
import { tuneHere } from "./tune-run.ts";

const port = globalThis as unknown as {
  onmessage: (event: MessageEvent<TuneOrder>) => void;
  postMessage(report: TuneReport): void;
};

let wished: "stop" | "pause" | undefined;

port.onmessage = ({ data: order }) => {
  if (order.kind === "wish") {
    wished = order.wish;
    return;
  }
  const { baseUrl, kind: _, ...setting } = order;
  const base = urlSource(baseUrl);
  const onEvent = (event: Parameters<Parameters<typeof tuneHere>[0]["onEvent"]>[0]) =>
    port.postMessage({ kind: "event", event });
  tuneHere({ ...setting, base, wish: () => wished, onEvent }).then(
    (files) => port.postMessage({ kind: "done", files }),
    (error: unknown) => {
      if (error instanceof TuningPaused) return port.postMessage({ kind: "paused" });
      const message = error instanceof Error ? error.message : String(error);
      port.postMessage({ kind: "failed", code: isRollupError(error) ? error.code : null, message });
    },
  );
};
