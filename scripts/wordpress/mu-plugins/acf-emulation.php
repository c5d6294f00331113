<?php
/*
 * Plugin Name: Darkroom trial: emulation of ACF
 * Description: Not Advanced Custom Fields, but a REST field "acf" that behaves as its own does: what a type has no field for is ignored with a 200.
 *
 * https://www.advancedcustomfields.com/resources/wp-rest-api-integration/
 */
namespace Darkroom\Acf;

const FIELDS = array(
	'planessemanales' => array(
		'foto'              => 'image',
		'foto_2'            => 'image',
		'foto_3'            => 'image',
		'galeria'           => 'gallery',
		'descripcion'       => 'text',
		'tema'              => 'text',
		'tipo_de_actividad' => 'text',
	),
	'productos'       => array(
		'foto'    => 'image',
		'galeria' => 'gallery',
		'sku'     => 'text',
		'precio'  => 'number',
	),
);
const TYPES  = array(
	'image'   => array( 'integer', 'null' ),
	'gallery' => array( 'array', 'null' ),
	'text'    => array( 'string', 'null' ),
	'number'  => array( 'number', 'null' ),
);
// The light format: ids as they are stored.
const NOTHING = array(
	'image'   => null,
	'gallery' => null,
	'text'    => '',
	'number'  => null,
);

add_action(
	'rest_api_init',
	function () {
		foreach ( FIELDS as $type => $fields ) {
			register_rest_field(
				$type,
				'acf',
				array(
					'get_callback'    => fn( $post ) => shown( $post['id'], $fields ),
					'update_callback' => fn( $given, $post ) => write( $post->ID, $fields, $given ),
					'schema'          => schema( $fields ),
				)
			);
		}
	}
);

function shown( $post_id, $fields ) {
	$held = array();
	foreach ( $fields as $name => $kind ) {
		$value         = get_post_meta( $post_id, $name, true );
		$held[ $name ] = '' === $value ? NOTHING[ $kind ] : $value;
		if ( 'image' === $kind && null !== $held[ $name ] ) {
			$held[ $name ] = (int) $value;
		}
	}
	return $held;
}

function write( $post_id, $fields, $given ) {
	$known = array_intersect_key( (array) $given, $fields );
	foreach ( $known as $name => $value ) {
		if ( ! is_fit( $fields[ $name ], $value ) ) {
			$said = "Invalid parameter(s): acf[$name] requires a valid attachment ID.";
			return new \WP_Error( 'rest_invalid_param', $said, array( 'status' => 400 ) );
		}
	}
	foreach ( $known as $name => $value ) {
		update_post_meta( $post_id, $name, wp_slash( $value ) );
	}
	return true;
}

function is_fit( $kind, $value ) {
	$ids = array( 'image' => array_filter( array( $value ) ), 'gallery' => (array) $value )[ $kind ] ?? array();
	foreach ( $ids as $id ) {
		if ( 'attachment' !== get_post_type( (int) $id ) ) {
			return false;
		}
	}
	return true;
}

function schema( $fields ) {
	return array(
		'description' => 'ACF field data',
		'type'        => 'object',
		'properties'  => array_map( fn( $kind ) => array( 'type' => TYPES[ $kind ] ), $fields ),
	);
}
