/** The websocket: messages sorted by kind, reconnection with back-off, and what the viewer holds already. */

const FIRST_RETRY_MS = 500;
/** With what is added by chance, live again within five seconds of the server's return. */
const LONGEST_RETRY_MS = 4_000;
const BAD_REQUEST = 1008;

/**
 * @typedef {Record<string, any>} Message
 * @typedef {"connecting" | "live" | "lost" | "ended" | "failed"} Connection
 * @typedef {object} Listener
 * @property {(message: Message) => void} message a JSON message
 * @property {(frame: ArrayBuffer) => void} binary a binary message
 * @property {(state: Connection, why: string) => void} connection
 * @property {() => string} after what is held of the session, or nothing
 * @property {() => void} opened what is said now is heard before the session's first frame
 */

/** A time in a message. @param {string} ns UTC @returns {number} ms UTC, whole ones */
export const msOf = (ns) => Number(BigInt(ns) / 1_000_000n);

export class Stream {
  /** @param {string} base where the server is @param {Listener} listener */
  constructor(base, listener) {
    this.base = base;
    this.listener = listener;
    this.retryMs = FIRST_RETRY_MS;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.query = new URLSearchParams();
    this.retry = 0;
    this.retries = 0;
    /** The newest socket never opened: nobody was there, or someone refused. */
    this.refused = false;
  }

  /** Ask for a session; the one before is left. @param {URLSearchParams} query */
  open(query) {
    this.query = query;
    this.retryMs = FIRST_RETRY_MS;
    this.connect();
  }

  /** Try at once. */
  connect() {
    clearTimeout(this.retry);
    this.socket?.close();
    this.listener.connection("connecting", "");
    const query = new URLSearchParams(this.query);
    const after = this.listener.after();
    if (after) query.set("after", after);
    const socket = new WebSocket(`${this.base.replace(/^http/, "ws")}/v1/vacuum-pressure/stream?${query}`);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    let over = false;
    this.refused = true;
    socket.onopen = () => {
      if (socket !== this.socket) return;
      this.refused = false;
      this.listener.opened();
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      if (typeof data !== "string") {
        this.listener.binary(data);
        return;
      }
      const message = JSON.parse(data);
      if (message.type === "runtime_config") {
        this.retryMs = FIRST_RETRY_MS;
        this.listener.connection("live", "");
      }
      if (message.type === "end") {
        over = true;
        this.listener.connection("ended", "the session is over");
      }
      this.listener.message(message);
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.socket || over) return;
      if (code === BAD_REQUEST) this.listener.connection("failed", "");
      else this.retryLater();
    };
  }

  /** Try again in a while, which is longer each time. */
  retryLater() {
    const wait = this.retryMs * (1 + Math.random() / 4);
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
    this.retries += 1;
    this.listener.connection("lost", `trying again in ${(wait / 1000).toFixed(1)} s`);
    this.retry = setTimeout(() => this.connect(), wait);
  }

  /** Tell the server something. @param {Message} message @returns {boolean} whether there is a socket for it */
  send(message) {
    const open = this.socket?.readyState === WebSocket.OPEN;
    if (open) this.socket?.send(JSON.stringify(message));
    return open;
  }

  /** Lose the socket all at once. @param {number} retryMs @returns {string} where it led */
  break(retryMs) {
    const { socket } = this;
    this.socket = null;
    socket?.close();
    this.retryMs = retryMs;
    this.retryLater();
    return socket?.url ?? "";
  }
}

/**
 * Where the server is: where the page came from, under whatever path a proxy put it. The development server on port
 * 5174 serves the page alone; the frames are on port 8002.
 * @param {{port: string, protocol: string, hostname: string, href: string}} location @returns {string} without a slash at its end
 */
export function serverBase({ port, protocol, hostname, href }) {
  return port === "5174" ? `${protocol}//${hostname}:8002` : new URL(".", href).href.slice(0, -1);
}
