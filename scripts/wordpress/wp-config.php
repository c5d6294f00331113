<?php
// What @…@ stands for is filled in by scripts/wordpress_up.sh.
define( 'DB_NAME', 'wordpress' );
define( 'DB_USER', 'root' );
define( 'DB_PASSWORD', '' );
define( 'DB_HOST', 'localhost:@FOLDER@/database.sock' );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'DB_COLLATE', '' );
$table_prefix = 'wp_';

define( 'WP_HOME', 'http://@ADDRESS@' );
define( 'WP_SITEURL', WP_HOME );
define( 'WPMU_PLUGIN_DIR', '@PLUGINS@' );
define( 'DARKROOM_FOLDER', '@FOLDER@' );

// Application passwords work without TLS on a local site only.
define( 'WP_ENVIRONMENT_TYPE', 'local' );
// It calls nobody: no updates, no news, no fonts.
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'DISABLE_WP_CRON', true );

if ( ! defined( 'ABSPATH' ) ) {
	define( 'ABSPATH', __DIR__ . '/' );
}
require_once ABSPATH . 'wp-settings.php';
