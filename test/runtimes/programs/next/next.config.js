export default {
  skipTrailingSlashRedirect: true,
  // Of several lock files above it, Next would take the wrong one for the root.
  turbopack: { root: process.env.TUSKD_NEXT_ROOT },
};
