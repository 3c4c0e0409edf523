// The keyboard, wherever the focus is: fields keep every key, a focused button or link keeps its own meaning of Space.

const SEEK_S = 5;

export function listen_to_keys(player, staff_box) {
  document.addEventListener('keydown', event => {
    if (!player.piece || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const at = event.target;
    if (at.closest('input, textarea, select')) return;
    const act = {
      ' ': at.closest('button, a, summary') ? null : () => player.toggle(),
      ArrowLeft: () => player.seek(player.time - SEEK_S),
      ArrowRight: () => player.seek(player.time + SEEK_S),
      Home: at === staff_box ? () => player.seek(0) : null,
      End: at === staff_box ? () => player.seek(Infinity) : null,
      l: player.live_second === null ? null : () => player.join_live(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
