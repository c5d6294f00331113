<?php
/*
 * Plugin Name: Darkroom trial: what goes wrong
 * Description: What tests order by a file in the site's folder befalls one request.
 *
 * slow-thumbnails holds seconds: the attachment exists, its thumbnails take so long.
 * broken-thumbnails: the attachment exists, then the request ends with a 500.
 * The file jwt-secret signs the tokens: another one ends them all.
 */
namespace Darkroom\Trials;

add_filter(
	'intermediate_image_sizes_advanced',
	function ( $sizes ) {
		$seconds = taken( 'slow-thumbnails' );
		if ( null !== $seconds ) {
			sleep( (int) $seconds );
		}
		if ( null !== taken( 'broken-thumbnails' ) ) {
			status_header( 500 );
			exit( 'There has been a critical error on this website.' );
		}
		return $sizes;
	}
);

add_filter( 'pre_option_darkroom_jwt_secret', fn() => @file_get_contents( DARKROOM_FOLDER . '/jwt-secret' ) );

// What an order says, once; null without any.
function taken( $name ) {
	$file = DARKROOM_FOLDER . "/$name";
	$said = @file_get_contents( $file );
	return false !== $said && @unlink( $file ) ? $said : null;
}
