<?php
/*
 * Plugin Name: Darkroom trial: emulation of JWT Authentication
 * Description: Not the plugin "JWT Authentication for WP REST API", but its routes, tokens and errors.
 *
 * https://wordpress.org/plugins/jwt-authentication-for-wp-rest-api/
 */
namespace Darkroom\Jwt;

const DAYS = 7;

add_action(
	'rest_api_init',
	function () {
		$open = array( 'methods' => 'POST', 'permission_callback' => '__return_true' );
		register_rest_route( 'jwt-auth/v1', 'token', array( 'callback' => __NAMESPACE__ . '\token' ) + $open );
		register_rest_route( 'jwt-auth/v1', 'token/validate', array( 'callback' => __NAMESPACE__ . '\validate' ) + $open );
	}
);

add_filter(
	'determine_current_user',
	function ( $user ) {
		$found = is_entrance() ? null : somebody();
		return is_int( $found ) ? $found : $user;
	}
);

add_filter(
	'rest_pre_dispatch',
	function ( $answer ) {
		$found = is_entrance() ? null : somebody();
		return is_wp_error( $found ) ? $found : $answer;
	}
);

function token( $request ) {
	$user = wp_authenticate( $request['username'], $request['password'] );
	if ( is_wp_error( $user ) ) {
		return refusal( '[jwt_auth] ' . $user->get_error_code(), $user->get_error_message() );
	}
	return array(
		'token'             => signed( $user->ID ),
		'user_email'        => $user->user_email,
		'user_nicename'     => $user->user_nicename,
		'user_display_name' => $user->display_name,
	);
}

function validate() {
	$found = somebody();
	if ( null === $found ) {
		return refusal( 'jwt_auth_no_auth_header', 'Authorization header not found.' );
	}
	$good = array( 'code' => 'jwt_auth_valid_token', 'data' => array( 'status' => 200 ) );
	return is_wp_error( $found ) ? $found : $good;
}

// The user of the request's token, an error for a bad one, null without any.
function somebody() {
	$given = $_SERVER['HTTP_AUTHORIZATION'] ?? '';
	if ( 0 !== strpos( $given, 'Bearer ' ) ) {
		return null;
	}
	$parts = explode( '.', substr( $given, 7 ) );
	if ( 3 !== count( $parts ) ) {
		return refusal( 'jwt_auth_invalid_token', 'Wrong number of segments' );
	}
	if ( ! hash_equals( signature( "$parts[0].$parts[1]" ), $parts[2] ) ) {
		return refusal( 'jwt_auth_invalid_token', 'Signature verification failed' );
	}
	$claims = json_decode( base64_decode( strtr( $parts[1], '-_', '+/' ) ), true );
	if ( $claims['exp'] <= time() ) {
		return refusal( 'jwt_auth_invalid_token', 'Expired token' );
	}
	return (int) $claims['data']['user']['id'];
}

function signed( $user_id ) {
	$now    = time();
	$claims = array(
		'iss'  => get_bloginfo( 'url' ),
		'iat'  => $now,
		'nbf'  => $now,
		'exp'  => $now + DAYS * DAY_IN_SECONDS,
		'data' => array( 'user' => array( 'id' => (string) $user_id ) ),
	);
	$body   = encoded( wp_json_encode( array( 'typ' => 'JWT', 'alg' => 'HS256' ) ) ) . '.' . encoded( wp_json_encode( $claims ) );
	return $body . '.' . signature( $body );
}

function signature( $body ) {
	return encoded( hash_hmac( 'sha256', $body, get_option( 'darkroom_jwt_secret', wp_salt() ), true ) );
}

function encoded( $bytes ) {
	return rtrim( strtr( base64_encode( $bytes ), '+/', '-_' ), '=' );
}

function is_entrance() {
	return false !== strpos( $_SERVER['REQUEST_URI'] ?? '', '/jwt-auth/v1/token' );
}

function refusal( $code, $said ) {
	return new \WP_Error( $code, $said, array( 'status' => 403 ) );
}
