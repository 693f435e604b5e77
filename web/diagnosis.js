/** Why no stream comes: what is asked over plain HTTP tells a server that is down from something between that refuses. */

const PATIENCE_MS = 4000;
const MOST_CHARACTERS = 4000;

/** @typedef {import("./http-api.js").Catalogue} Catalogue */
/** @typedef {{title: string, hint: string, short: string}} Diagnosis `short` for the sign */

/** @param {string} address @returns {Promise<{status: number, words: string, body: any} | null>} null: no answer */
async function ask(address) {
  try {
    const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    const text = await answer.text();
    let body = null;
    try { body = JSON.parse(text); } catch { /* a page of something else */ }
    return { status: answer.status, words: answer.statusText.slice(0, MOST_CHARACTERS), body };
  } catch {
    return null;
  }
}

/** @param {string} what @param {{status: number, words: string}} answer @returns {Diagnosis} */
const refusal = (what, { status, words }) => ({
  short: `refused on the way, ${status}`,
  title: `Something between this page and the server refuses ${what}: it answers ${status}${words && ` ${words}`}.`,
  hint: status >= 500 ? "A proxy on the way does not reach the server. Is it running, and does the proxy lead to its port? The page tries again by itself."
    : "A proxy, a gateway or a filter on the way has to let it through. The page tries again by itself.",
});

/**
 * @param {string} base where the server is @param {boolean} refused whether the websocket never opened
 * @returns {Promise<Diagnosis | null>} null: it was open, and the server is well
 */
export async function diagnose(base, refused) {
  const health = await ask(`${base}/health`);
  if (!health) {
    return { short: "no answer", title: "The server does not answer.", hint: "Is it running? The command vp serve starts it, and prints the address of this page. The page tries again by itself." };
  }
  const { status, body } = health;
  if (body?.code && body.message) return { short: "refused by the server", title: body.message, hint: body.hint ?? "" }; // the server's own refusal
  if (status !== 200 && status !== 404) return refusal("./health", health);
  if (status === 404 || body?.status !== "ok" || !Array.isArray(body.sessions)) {
    return { short: "another program answers", title: `What answers at ${base} is another program than the server of this page.`, hint: "Open the address that vp serve prints at its start; --port chooses another port." };
  }
  if (!refused) return null;
  const stream = await ask(`${base}/v1/vacuum-pressure/stream`);
  // asked without the words of a websocket, the server itself says 404
  if (stream && stream.status !== 404 && !stream.body?.code) return refusal("its stream", stream);
  return {
    short: "no websockets on the way", title: "The server answers, but its stream does not come through: something between refuses websockets.",
    hint: "A proxy on the way has to pass on upgrades of /v1/vacuum-pressure/stream: HTTP/1.1 with the headers Upgrade and Connection. The page tries again by itself.",
  };
}

/**
 * What there is instead of a session that cannot be shown: those of the symbol asked for, or others.
 * @param {Catalogue} catalogue @param {Record<string, string>} query what was asked for @param {string} code of the error
 * @returns {{label: string, wanted: Record<string, string>}[]}
 */
export function alternatives({ default: usual, sessions }, { symbol = usual.symbol, dt = usual.dt, start_time: start = "" }, code) {
  const asked = symbol.toUpperCase();
  const others = sessions.filter((entry) => code !== "empty_session" || entry.dt !== dt);
  const near = others.filter((entry) => asked.startsWith(entry.symbol));
  const fromStart = code === "bad_start_time";
  return (near.length > 0 ? near : others).slice(-8).map((entry) => {
    const shown = code === "unknown_symbol" || near.length === 0 ? entry.symbol : asked;
    return {
      label: `${shown} ${entry.dt}${fromStart ? " from its start" : ""}`,
      wanted: { product_type: entry.product_type, dt: entry.dt, symbol: shown, start_time: fromStart ? "" : start },
    };
  });
}
