/** The way back, and on again: how the page was before each change that a person made to what it shows. */

const MOST = 100;
/** Changes of one kind that are this near together are undone together: turns of the wheel, a key that is held. */
const REST_MS = 700;

/** @template State plain values */
export class UndoHistory {
  /**
   * @param {() => State} take how the page is
   * @param {(state: State) => void} restore let it be so again
   * @param {(state: State) => string} keyOf two states of one key are the same to a person
   */
  constructor(take, restore, keyOf) {
    this.take = take;
    this.restore = restore;
    this.keyOf = keyOf;
    /** @type {State[]} */
    this.states = [];
    /** @type {State[]} what was taken back */
    this.undone = [];
    /** Where the last step led. */
    this.reached = "";
    this.kind = "";
    this.changedMs = -Infinity;
  }

  /** Let `undo` come back to what is now. @param {string} [kind] of the change to come @param {number} [nowMs] of any steady clock */
  remember(kind = "", nowMs = performance.now()) {
    const together = kind !== "" && kind === this.kind && nowMs - this.changedMs < REST_MS;
    this.kind = kind;
    this.changedMs = nowMs;
    if (together) return;
    this.states.push(this.take());
    if (this.states.length > MOST) this.states.shift();
  }

  /** Go back before the last change that changed anything. @returns {boolean} whether there was one */
  undo() { return this.step(this.states, this.undone); }

  /** Go on again, as long as nothing was changed since. @returns {boolean} whether something was taken back */
  redo() { return this.step(this.undone, this.states); }

  /** @param {State[]} from @param {State[]} to what is left */
  step(from, to) {
    const now = this.take();
    const key = this.keyOf(now);
    if (key !== this.reached) this.undone.length = 0;
    this.kind = "";
    for (let state = from.pop(); state !== undefined; state = from.pop()) {
      this.reached = this.keyOf(state);
      if (this.reached === key) continue;
      to.push(now);
      this.restore(state);
      return true;
    }
    return false;
  }
}
