// Runs before the first paint, so that nothing jumps: says that scripts run.
document.documentElement.classList.add("js");
