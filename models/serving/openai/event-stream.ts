/**
 * A stream of server-sent events that a slow reader cannot fill: completion-service.ts streams answers by it, the
 * factory a job's progress.
 */
import type { ServerResponse } from "node:http";
import { servingError } from "../../model-errors.ts";

/**
 * Server-sent events to one client. Unread events wait here, up to a limit; then the stream is ended, so that a
 * client that stops reading takes neither memory nor a place in the batch.
 */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #maxBufferedBytes: number;
  #isOver = false;

  constructor(response: ServerResponse, maxBufferedBytes: number) {
    this.#response = response;
    this.#maxBufferedBytes = maxBufferedBytes;
  }

  begin(): void {
    this.#response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    });
  }

  /** @throws RollupError MOD_SERVE_READER_SLOW, and the connection is closed then */
  send(event: object | "[DONE]"): void {
    if (this.#isOver) return;
    this.#response.write(`data: ${event === "[DONE]" ? event : JSON.stringify(event)}\n\n`);
    const { writableLength } = this.#response;
    if (writableLength <= this.#maxBufferedBytes) return;
    this.#isOver = true;
    this.#response.destroy();
    throw servingError(
      "MOD_SERVE_READER_SLOW",
      `${writableLength} bytes wait for a client that does not read`,
      {
        data: { writableLength },
      },
    );
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#response.end();
  }
}
