/** Refusals of prompts that cannot fit; the encoder and its threads throw them. */
import { servingError } from "../../../model-errors.ts";

/** @param data facts, with the request's field */
export const promptTooLong = (
  message: string,
  data: { readonly param: string; readonly [fact: string]: unknown },
) => servingError("MOD_SERVE_PROMPT_TOO_LONG", `${data.param}: ${message}`, { data });

export const tooManyBytes = (promptBytes: number, maxBytes: number, param: string) =>
  promptTooLong(`it has ${promptBytes} bytes: the tokens that there is room for have at most ${maxBytes}`, {
    param,
    promptBytes,
    maxBytes,
  });
