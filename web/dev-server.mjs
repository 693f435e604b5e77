// Serves this directory on port 5174 for work on the page; frames come from the server on port 8002,
// which lets this page in if it was started with --allow-origin http://127.0.0.1:5174.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const PORT = 5174;
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css" };

createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const name = pathname === "/" ? "/vacuum-pressure.html" : pathname;
  const type = TYPES[extname(name)];
  try {
    if (!type || !/^\/[a-z0-9-]+\.[a-z]+$/.test(name)) throw new Error("not a file of the page");
    const body = await readFile(fileURLToPath(new URL(`.${name}`, import.meta.url)));
    response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(body);
  } catch {
    response.writeHead(404, { "content-type": "text/plain" }).end(`no ${name} here\n`);
  }
}).listen(PORT, "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}/vacuum-pressure.html`));
