/**
 * Stands between a page and its server, and changes answers. Refusals pass as they are, for the page to say them; where a change fails the
 * request ends. Else the page waits for its answer, and the test for the page.
 */
import type { Page, Request, Route } from "playwright-core";

async function ended(route: Route, answer: () => Promise<void>): Promise<void> {
  try {
    await answer();
  } catch (error) {
    await route.abort().catch(() => {});
    throw error;
  }
}

/** Changes JSON. @param isAltered requests whose answers are changed; default: all */
export async function alterAnswers<Body>(
  page: Page,
  url: string | RegExp,
  alter: (body: Body) => object,
  isAltered: (request: Request) => boolean = () => true,
): Promise<void> {
  await page.route(url, (route) =>
    ended(route, async () => {
      if (!isAltered(route.request())) return route.continue();
      const response = await route.fetch();
      if (!response.ok()) return route.fulfill({ response });
      await route.fulfill({ response, json: alter((await response.json()) as Body) });
    }),
  );
}

/** Changes texts, of requests whose body has a word. */
export async function alterTexts(
  page: Page,
  url: string | RegExp,
  word: string,
  alter: (text: string) => string,
): Promise<void> {
  await page.route(url, (route) =>
    ended(route, async () => {
      const response = await route.fetch();
      const isIt = response.ok() && route.request().postData()?.includes(word) === true;
      await route.fulfill(isIt ? { response, body: alter(await response.text()) } : { response });
    }),
  );
}
