import type { ServerResponse } from "node:http";
import type { TextTokens } from "../tokens/tokenizer.ts";
import type { AnswerForm } from "./answer-billing.ts";
import type { QueueTenant } from "./fair-queue.ts";
import type { EngineTicket, ServingEngine } from "./serving-engine.ts";
import { TokenText } from "./token-text.ts";

interface AnswerOrder extends QueueTenant {
  /** null for the base. */
  readonly adapter: string | null;
  readonly form: AnswerForm;
  readonly stops: readonly string[];
  /** Whether the answer is made to its end though nobody listens any more. */
  readonly isKept: boolean;
}

/** What a batch has made. */
export interface MadeAnswer {
  readonly end: "stop" | "length";
  readonly answer: readonly number[];
  readonly adapterSha256: string | null;
}

/** The client went away: there is nobody to tell. */
export class ClientGone extends Error {}

/**
 * Has a batch make an answer and gives out its text as it comes.
 *
 * @throws ClientGone, what `give` throws, and RollupError as ServingEngine.ask and its listener have it
 */
export function makeAnswer(
  { engine, tokens }: { engine: ServingEngine; tokens: TextTokens },
  { adapter, address, form, isKept, stops, tenant }: AnswerOrder,
  response: ServerResponse,
  give: (text: string) => void,
): Promise<MadeAnswer> {
  const text = new TokenText(tokens, stops);
  const answer: number[] = [];
  return new Promise((settle, fail) => {
    let ticket: EngineTicket | null = null;
    let isHeard = true;
    const leave = () => {
      response.off("close", onClose);
      ticket?.cancel();
    };
    const failed = (error: unknown) => {
      leave();
      fail(error);
    };
    const unheard = (error: unknown) => {
      isHeard = false;
      // Attack: who leaves before the last part would read for nothing.
      if (!isKept) failed(error);
    };
    const onClose = () => unheard(new ClientGone());
    const part = (more: string) => {
      if (more === "" || !isHeard) return;
      try {
        give(more);
      } catch (error) {
        unheard(error);
      }
    };
    const finish = (end: "stop" | "length") => {
      leave();
      settle({ end, answer, adapterSha256: ticket?.adapterSha256 ?? null });
    };
    response.once("close", onClose);
    try {
      // It may have gone while its prompt was encoded.
      if (response.destroyed) onClose();
      if (response.destroyed && !isKept) return;
      ticket = engine.ask(
        { tenant, address, adapter, ...form },
        {
          onToken(token) {
            answer.push(token);
            part(text.push(token));
            if (text.isStopped) finish("stop");
          },
          onEnd(end) {
            part(text.end());
            finish(text.isStopped ? "stop" : end);
          },
          onError: failed,
        },
      );
    } catch (error) {
      failed(error);
    }
  });
}
