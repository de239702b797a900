/** First of all imports: zod tries whether it may make code of text, which the Content-Security-Policy refuses and reports. */
import { z } from "zod";

z.config({ jitless: true });
