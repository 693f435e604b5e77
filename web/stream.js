/** The websocket: messages sorted by kind, reconnection with back-off. */

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;
const BAD_REQUEST = 1008;

/**
 * @typedef {Record<string, any>} Message
 * @typedef {object} Listener
 * @property {(message: Message) => void} message a JSON message
 * @property {(frame: ArrayBuffer) => void} binary a binary message
 * @property {(state: "connecting" | "live" | "lost" | "ended" | "failed", why: string) => void} connection
 */

export class Stream {
  /** @param {string} address @param {Listener} listener */
  constructor(address, listener) {
    this.address = address;
    this.listener = listener;
    this.retryMs = FIRST_RETRY_MS;
    this.over = false;
  }

  open() {
    this.listener.connection("connecting", "");
    const socket = new WebSocket(this.address);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string") return this.listener.binary(data);
      const message = JSON.parse(data);
      if (message.type === "runtime_config") {
        this.retryMs = FIRST_RETRY_MS;
        this.listener.connection("live", "");
      }
      if (message.type === "end") {
        this.over = true;
        this.listener.connection("ended", "the session is over");
      }
      return this.listener.message(message);
    };
    socket.onclose = ({ code }) => {
      if (this.over) return;
      if (code === BAD_REQUEST) {
        this.over = true;
        this.listener.connection("failed", "");
        return;
      }
      const wait = this.retryMs * (1 + Math.random() / 4);
      this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
      this.listener.connection("lost", `the server does not answer; trying again in ${(wait / 1000).toFixed(1)} s`);
      setTimeout(() => this.open(), wait);
    };
  }
}

/**
 * The stream's address: the page's own parameters go on to the server.
 * The development server on port 5174 serves the page alone; its stream is the server's, on port 8002.
 * @param {Location} location @param {string[]} fields grid columns wanted @returns {string}
 */
export function streamAddress(location, fields) {
  const query = new URLSearchParams(location.search);
  query.set("fields", fields.join(","));
  const host = location.port === "5174" ? `${location.hostname}:8002` : location.host;
  return `${location.protocol === "https:" ? "wss" : "ws"}://${host}/v1/vacuum-pressure/stream?${query}`;
}
