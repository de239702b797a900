/**
 * Has the engine make one answer and gives out its text as it comes, up to the first stop: the step between a request
 * of OpenAI's API and the batch. completion-service.ts calls it for each answer of a request.
 */
import type { TokenLogprobs } from "../../engine/batches/choose-token.ts";
import type { TextTokens } from "../../engine/tokens/tokenizer.ts";
import type { AnswerForm } from "../billing/answer-billing.ts";
import type { QueueTenant } from "../fair-queue.ts";
import type { EngineTicket, ServingEngine } from "../serving-engine.ts";
import { TokenText } from "./token-text.ts";

/** Answer to make, and whose turn in the queue it takes. */
interface AnswerOrder extends QueueTenant {
  /** Adapter's name; null for the base. */
  readonly adapter: string | null;
  readonly form: AnswerForm;
  /** Texts before which the answer ends. */
  readonly stops: readonly string[];
  /** True if the answer is made to its end though nobody listens any more. */
  readonly isKept: boolean;
}

/** Token of the answer with its probabilities, and where it begins. */
export interface TokenMark extends TokenLogprobs {
  /** UTF-16 code units of the answer's text before the token. */
  readonly offset: number;
}

/** Receives the answer's text as it comes, and the tokens that begin in it if their probabilities are requested. */
export type GiveText = (text: string, marks: readonly TokenMark[]) => void;

/** Answer that a batch has made. */
export interface MadeAnswer {
  readonly end: "stop" | "length";
  /** Token ids. */
  readonly answer: readonly number[];
  /** Hash of the adapter's compiled numbers; null for the base. */
  readonly adapterSha256: string | null;
}

/** The client went away: there is nobody to tell. */
export class ClientGone extends Error {}

/**
 * Has a batch make an answer and gives out its text as it comes.
 *
 * @param tokens spellings of token ids, by which the text is made
 * @param left aborted when nobody waits for the answer any more
 * @throws ClientGone, what `give` throws, and RollupError as ServingEngine.ask and its listener have it
 */
export function makeAnswer(
  { engine, tokens }: { engine: ServingEngine; tokens: Pick<TextTokens, "speller"> },
  { adapter, address, form, isKept, stops, tenant }: AnswerOrder,
  left: AbortSignal,
  give: GiveText,
): Promise<MadeAnswer> {
  const text = new TokenText(tokens, stops);
  const answer: number[] = [];
  const marks: TokenMark[] = [];
  let input = 0;
  return new Promise((settle, fail) => {
    let ticket: EngineTicket | null = null;
    let isHeard = true;
    const leave = () => {
      left.removeEventListener("abort", onClose);
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
    // Tokens without a text, or with one that was held back, are told with the last part.
    const part = (more: string, isLast: boolean) => {
      if (!isHeard || (more === "" && !(isLast && marks.length > 0))) return;
      input += more.length;
      const behind = isLast ? -1 : marks.findIndex(({ offset }) => offset >= input);
      try {
        give(more, marks.splice(0, behind < 0 ? marks.length : behind));
      } catch (error) {
        unheard(error);
      }
    };
    const finish = (end: "stop" | "length") => {
      leave();
      settle({ end, answer, adapterSha256: ticket?.adapterSha256 ?? null });
    };
    left.addEventListener("abort", onClose, { once: true });
    try {
      // It may have gone while its prompt was encoded.
      if (left.aborted) onClose();
      if (left.aborted && !isKept) return;
      ticket = engine.ask(
        { tenant, address, adapter, ...form },
        {
          onToken(token, logprobs) {
            answer.push(token);
            if (logprobs !== undefined) marks.push({ ...logprobs, offset: text.length });
            part(text.push(token), false);
            if (text.isStopped) finish("stop");
          },
          onEnd(end) {
            const rest = text.end();
            part(rest, !text.isStopped);
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
