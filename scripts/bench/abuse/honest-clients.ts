/** Clients that ask all the time, each on a new connection, and how long they wait. */
import { type ClientRequest, request } from "node:http";

export interface HonestFigures {
  readonly ok: number;
  readonly failed: number;
  readonly longestMs: number;
  readonly p99Ms: number;
}

/** One kind of request again and again. */
export class HonestClient {
  readonly name: string;
  readonly #ask: () => Promise<unknown>;
  readonly #pauseMs: number;
  #waitsMs: number[] = [];
  readonly #failures: string[] = [];
  #isOn = true;
  #running: Promise<void> | null = null;

  /** @param ask rejects where the answer is not what it should be */
  constructor(name: string, ask: () => Promise<unknown>, pauseMs = 50) {
    this.name = name;
    this.#ask = ask;
    this.#pauseMs = pauseMs;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isOn = false;
    await this.#running;
  }

  /** What was seen since the last time. */
  take(): HonestFigures {
    const sorted = this.#waitsMs.sort((a, b) => a - b);
    const failures = this.#failures.splice(0);
    for (const failure of failures.slice(0, 3)) console.log(`  ${this.name} failed: ${failure}`);
    const longestMs = Math.round(sorted.at(-1) ?? 0);
    const p99Ms = Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0);
    this.#waitsMs = [];
    return { ok: sorted.length - failures.length, failed: failures.length, longestMs, p99Ms };
  }

  async #run(): Promise<void> {
    while (this.#isOn) {
      const askedAtMs = performance.now();
      await this.#ask().catch((error: unknown) => this.#failures.push(String(error).slice(0, 300)));
      this.#waitsMs.push(performance.now() - askedAtMs);
      await new Promise((resolve) => setTimeout(resolve, this.#pauseMs));
    }
  }
}

const LONGEST_MS = 60_000;

/** The answer's text. @throws where it is a refusal */
export function askOnce(url: string, body?: object): Promise<string> {
  return new Promise((settle, fail) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const method = body === undefined ? "GET" : "POST";
    const sent: ClientRequest = request(url, { method, headers, agent: false }, async (response) => {
      try {
        let text = "";
        for await (const part of response) text += String(part);
        if (response.statusCode! < 300) settle(text);
        else fail(new Error(`${method} ${url}: ${response.statusCode} ${text}`));
      } catch (error) {
        fail(error);
      }
    });
    sent.setTimeout(LONGEST_MS, () => sent.destroy(new Error("no answer for a minute")));
    sent.on("error", fail);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
