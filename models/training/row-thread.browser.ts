/** The twin of `row-thread.ts` in a page: a Web Worker on the same shared memory. */
import type { RowSeat, TeamTask } from "./row-task.ts";
import type { RowAnswer, RowThread } from "./row-thread.ts";

/** Of a browser's Worker, what is used here: this folder is compiled without a browser's types. */
interface PageWorker {
  onmessage: (event: { readonly data: RowAnswer }) => void;
  onerror: (event: { readonly message: string }) => void;
  postMessage(message: { readonly seat: RowSeat } | { readonly task: TeamTask }): void;
  terminate(): void;
}
declare const Worker: new (address: URL, options: { type: "module" }) => PageWorker;

export function startRowThread(seat: RowSeat): RowThread {
  // Vite finds the worker by exactly these words.
  const worker = new Worker(new URL("./row-worker.browser.ts", import.meta.url), { type: "module" });
  worker.postMessage({ seat });
  return {
    ask: (task) =>
      new Promise((settle, fail) => {
        worker.onmessage = ({ data }) => settle(data);
        worker.onerror = ({ message }) => fail(new Error(message));
        worker.postMessage({ task });
      }),
    end: async () => worker.terminate(),
  };
}
