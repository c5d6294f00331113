<?php
// php install.php SITE: the database, two users and login.json, unless they are there.
define( 'WP_INSTALLING', true );
$_SERVER['HTTP_HOST'] = '127.0.0.1';

// WordPress would send a letter.
function wp_new_blog_notification() {}

$config = file_get_contents( $argv[1] . '/wp-config.php' );
preg_match( "/localhost:([^']+)/", $config, $found );
$database = new mysqli( 'localhost', 'root', '', '', 0, $found[1] );
$database->query( 'CREATE DATABASE IF NOT EXISTS wordpress CHARACTER SET utf8mb4' );

require $argv[1] . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';

function darkroom_login( $name, $role ) {
	$password = wp_generate_password( 20, false );
	$user     = username_exists( $name );
	if ( $user ) {
		wp_set_password( $password, $user );
	} else {
		$user = wp_create_user( $name, $password, "$name@example.org" );
	}
	( new WP_User( $user ) )->set_role( $role );
	$made = WP_Application_Passwords::create_new_application_password( $user, array( 'name' => 'Darkroom' ) );
	return array( $password, $made[0] );
}

$login = DARKROOM_FOLDER . '/login.json';
if ( ! is_blog_installed() ) {
	wp_install( 'Darkroom trial', 'darkroom', 'darkroom@example.org', false, '', wp_generate_password() );
	update_option( 'permalink_structure', '/%postname%/' );
}
$old = file_exists( $login ) ? json_decode( file_get_contents( $login ), true ) : array();
if ( ( $old['url'] ?? '' ) !== WP_HOME ) {
	list( $password, $app_password ) = darkroom_login( 'darkroom', 'administrator' );
	list( , $reader_app_password )   = darkroom_login( 'reader', 'subscriber' );

	$new = array(
		'url'                 => WP_HOME,
		'user'                => 'darkroom',
		'app_password'        => $app_password,
		'password'            => $password,
		'reader'              => 'reader',
		'reader_app_password' => $reader_app_password,
		'stop'                => dirname( __DIR__ ) . '/wordpress_down.sh ' . DARKROOM_FOLDER,
	);
	file_put_contents( $login, json_encode( $new, JSON_UNESCAPED_SLASHES ) . "\n" );
}
